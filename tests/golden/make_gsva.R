# Make methods__r_gsva_1.46.0.tsv: ssGSEA, combined z-score and GSVA of made-up expression by R GSVA.
#
#   python tests/golden/method_data.py FOLDER
#   Rscript tests/golden/make_gsva.R FOLDER tests/golden/methods__r_gsva_1.46.0.tsv
#
# R 4.2.2 with GSVA 1.46.0 (Debian 12, r-bioc-gsva), whose gsva() takes matrix, sets and method.
suppressMessages(library(GSVA))
stopifnot(packageVersion("GSVA") == "1.46.0")
arguments <- commandArgs(trailingOnly = TRUE)
read_matrix <- function(name) {
  as.matrix(read.delim(file.path(arguments[1], name), row.names = 1, check.names = FALSE))
}
tied <- read_matrix("tied.tsv")
counts <- read_matrix("counts.tsv")
fields <- strsplit(readLines(file.path(arguments[1], "sets.gmt")), "\t")
sets <- setNames(lapply(fields, function(x) x[-(1:2)]), vapply(fields, `[`, "", 1))
score <- function(x, ...) suppressWarnings(gsva(x, sets, verbose = FALSE, ...))
scores <- list(
  ssgsea = score(tied, method = "ssgsea", tau = 0.25, ssgsea.norm = FALSE),
  zscore = score(tied, method = "zscore"),
  gsva = score(tied, method = "gsva", kcdf = "Gaussian"),
  gsva_abs_rnk = score(tied, method = "gsva", kcdf = "Gaussian", abs.ranking = TRUE),
  gsva_largest = score(tied, method = "gsva", kcdf = "Gaussian", mx.diff = FALSE),
  gsva_poisson = score(counts, method = "gsva", kcdf = "Poisson")
)
rows <- lapply(names(scores), function(method) {
  data.frame(method = method, set = rownames(scores[[method]]), scores[[method]], check.names = FALSE)
})
table <- do.call(rbind, rows)
numbers <- vapply(table, is.numeric, TRUE)
table[numbers] <- lapply(table[numbers], function(x) sprintf("%.17g", x))
write.table(table, arguments[2], sep = "\t", quote = FALSE, row.names = FALSE)
