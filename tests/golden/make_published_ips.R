# Make published_ips__immunophenogram_1.0.tsv: the immunophenoscore of made-up expression by IPS.R.
#
#   python tests/golden/published_data.py FOLDER
#   Rscript tests/golden/make_published_ips.R FOLDER IPS.R tests/golden/published_ips__immunophenogram_1.0.tsv
#
# IPS.R is version 1.0 of github.com/icbi-lab/Immunophenogram (commit 35930d5, BSD-3-Clause). Its statements are run as they
# stand, but for loading graphics packages, drawing and its output files; the copy read had only token drawing in it. Its gene list, IPS_genes.txt, is written from
# published_genes.tsv, whose factors agree with IPS_Charoentong.csv of github.com/bhklab/SignatureSets (MIT). R 4.2.2.
arguments <- commandArgs(trailingOnly = TRUE)
output <- file.path(normalizePath(dirname(arguments[3])), basename(arguments[3]))
statements <- parse(arguments[2], keep.source = FALSE)
draws <- function(statement) {
  text <- paste(deparse(statement), collapse = " ")
  grepl("^library|^(my_palette|mapcolors|mapbw|plot_|data_[abc]|legendtheme|file_name)|^(pdf|grid\\.arrange|dev\\.off|write\\.table)\\(",
        text)
}
setwd(arguments[1])
for (statement in statements[!vapply(statements, draws, TRUE)]) {
  if (is.call(statement) && identical(statement[[1]], as.name("for"))) {
    body <- as.list(statement[[4]])
    statement[[4]] <- as.call(body[!c(FALSE, vapply(body[-1], draws, TRUE))])
  }
  eval(statement)
}
names(DF)[1] <- "sample_id"
DF[-1] <- lapply(DF[-1], function(x) sprintf("%.17g", x))
write.table(DF, output, sep = "\t", quote = FALSE, row.names = FALSE)
