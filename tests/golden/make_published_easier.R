# Make published_scores__easier_1.1.0.tsv: scores of made-up TPM by the functions of the R package easier.
#
#   python tests/golden/published_data.py FOLDER
#   Rscript tests/golden/make_published_easier.R FOLDER EASIER resources/genesets/published_genes.tsv \
#     tests/golden/published_scores__easier_1.1.0.tsv
#
# EASIER is a copy of github.com/olapuentesantana/easier, MIT; read were the R/compute_*.R of commit 1091fbf, which calls
# itself 1.1.0, and of these files the functions without their comments. R 4.2.2. Rows of variant "missing" lack the genes in
# MISSING of published_data.py; pairs of IMPRES are complete in both.
arguments <- commandArgs(trailingOnly = TRUE)
tpm <- as.data.frame(read.delim(file.path(arguments[1], "tpm.tsv"), row.names = 1, check.names = FALSE))
for (name in c("CYT", "IFNy", "Ayers_expIS", "Davoli_IS", "Roh_IS", "chemokines", "TLS", "IMPRES_MSI")) {
  source(file.path(arguments[2], "R", paste0("compute_", name, ".R")))
}
genes <- read.delim(arguments[3], quote = "")
genes_of <- function(list) genes$gene_symbol[genes$gene_list == list]
scores_of <- function(tpm) {
  rows <- function(list) {
    found <- match(genes_of(list), rownames(tpm))
    found[!is.na(found)]
  }
  pairs <- genes[genes$gene_list == "impres", ]
  side <- function(role) match(pairs$gene_symbol[pairs$role == role], rownames(tpm))
  data.frame(
    cyt_geometric_mean = compute_CYT(rows("cyt"), tpm)[[1]],
    ifng6_ayers = compute_IFNy(rows("ifng6"), tpm)[[1]],
    expanded_immune18_ayers = compute_Ayers_expIS(rows("expanded_immune18"), tpm)[[1]],
    davoli_immune = compute_Davoli_IS(rows("davoli"), tpm)[[1]],
    roh_immune = compute_Roh_IS(rows("roh"), tpm)[[1]],
    chemokine12_messina = compute_chemokines(rows("chemokine12"), tpm)[[1]],
    tls9_easier = compute_TLS(rows("tls9"), tpm)[[1]],
    impres15 = compute_IMPRES_MSI("IMPRES", 15, side("greater"), side("lesser"), tpm)[[1]]
  )
}
missing <- c("HLA-H", "ICAM5", "EIF1AY", "CCL18", "CD247")
result <- rbind(
  data.frame(variant = "full", sample_id = colnames(tpm), scores_of(tpm)),
  data.frame(variant = "missing", sample_id = colnames(tpm), scores_of(tpm[!rownames(tpm) %in% missing, ]))
)
numbers <- vapply(result, is.numeric, TRUE)
result[numbers] <- lapply(result[numbers], function(x) sprintf("%.17g", x))
write.table(result, arguments[4], sep = "\t", quote = FALSE, row.names = FALSE)
