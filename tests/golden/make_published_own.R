# Make published_scores__r_4.2.2.tsv: scores that no program computes in this form, by the formula of the publication
# written again in R. An independent second implementation, not another program.
#
#   python tests/golden/published_data.py FOLDER
#   Rscript tests/golden/make_published_own.R FOLDER tests/golden/published_scores__r_4.2.2.tsv
#
# Genes stand here once more, typed from the publications and not read from the tables under test.
arguments <- commandArgs(trailingOnly = TRUE)
tpm <- as.matrix(read.delim(file.path(arguments[1], "tpm.tsv"), row.names = 1, check.names = FALSE))
cyt <- c("PRF1", "GZMA")
gep <- c("TIGIT", "CD27", "CD8A", "PDCD1LG2", "LAG3", "CD274", "CXCR6", "CMKLR1", "NKG7", "CCL5", "PSMB10", "IDO1",
         "CXCL9", "HLA-DQA1", "CD276", "STAT1", "HLA-DRB1", "HLA-E")
tls <- c("CD79B", "EIF1AY", "PTGDS", "RBP5", "CCR6", "SKAP1", "LAT", "CETP", "CD1D")
stopifnot(length(unique(gep)) == 18, length(unique(tls)) == 9)
scores_of <- function(tpm) {
  of <- function(genes) tpm[rownames(tpm) %in% genes, , drop = FALSE]
  mean_log2 <- function(genes) colSums(log(of(genes) + 1, base = 2)) / nrow(of(genes))
  data.frame(
    cyt_mean_log2 = mean_log2(cyt),
    gep18_research = mean_log2(gep),
    tls9_geometric_mean = apply(of(tls) + 1, 2, function(x) prod(x)^(1 / length(x)))
  )
}
missing <- c("HLA-H", "ICAM5", "EIF1AY", "CCL18", "CD247")
result <- rbind(
  data.frame(variant = "full", sample_id = colnames(tpm), scores_of(tpm)),
  data.frame(variant = "missing", sample_id = colnames(tpm), scores_of(tpm[!rownames(tpm) %in% missing, ]))
)
numbers <- vapply(result, is.numeric, TRUE)
result[numbers] <- lapply(result[numbers], function(x) sprintf("%.17g", x))
write.table(result, arguments[2], sep = "\t", quote = FALSE, row.names = FALSE)
