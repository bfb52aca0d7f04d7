# Make meta_analysis__metafor_3.8.tsv: made-up effects of cohorts, pooled by metafor.
#
#   Rscript tests/golden/make_meta_analysis.R OUT
suppressPackageStartupMessages(library(metafor))
arguments <- commandArgs(trailingOnly = TRUE)
sets <- list(
  spread = list(yi = c(0.42, 1.31, -0.27, 0.88, 0.05), sei = c(0.21, 0.34, 0.28, 0.40, 0.19)),
  alike = list(yi = c(0.50, 0.46, 0.55, 0.49), sei = c(0.30, 0.22, 0.41, 0.35)),
  three = list(yi = c(-0.9, -0.1, -1.6), sei = c(0.25, 0.31, 0.52)),
  many = list(yi = c(0.1, 0.9, -0.4, 1.4, 0.6, 0.3, -0.8, 2.1, 0.2, 0.7, 1.1, -0.1),
              sei = c(0.2, 0.3, 0.25, 0.5, 0.15, 0.4, 0.35, 0.6, 0.22, 0.3, 0.45, 0.28)),
  two = list(yi = c(0.8, 0.2), sei = c(0.3, 0.25))
)
rows <- c()
put <- function(set, name, value) rows[[length(rows) + 1]] <<- data.frame(set = set, statistic = name, value = as.numeric(value))
for (set in names(sets)) {
  yi <- sets[[set]]$yi; sei <- sets[[set]]$sei; k <- length(yi)
  for (i in seq_along(yi)) { put(set, paste0("effect_", i), yi[i]); put(set, paste0("error_", i), sei[i]) }
  fit <- rma(yi, sei = sei, method = "PM", test = if (k > 2) "adhoc" else "z", control = list(tol = 1e-12, maxiter = 1000))
  ends <- confint(fit, control = list(tol = 1e-12, tau2.max = 1e6))$random
  put(set, "q", fit$QE); put(set, "q_p", fit$QEp); put(set, "tau_squared", fit$tau2)
  put(set, "i_squared", fit$I2 / 100)
  put(set, "i_squared_low", ends["I^2(%)", "ci.lb"] / 100); put(set, "i_squared_high", ends["I^2(%)", "ci.ub"] / 100)
  model <- if (k > 2) fit else rma(yi, sei = sei, method = "FE")
  put(set, "pooled", model$beta); put(set, "error", model$se)
  put(set, "low", model$ci.lb); put(set, "high", model$ci.ub); put(set, "p", model$pval)
  if (k > 2) {
    # Higgins, Thompson and Spiegelhalter: k - 2 degrees of freedom
    half <- qt(0.975, k - 2) * sqrt(fit$tau2 + fit$se^2)
    put(set, "prediction_low", fit$beta - half); put(set, "prediction_high", fit$beta + half)
  }
  for (i in seq_along(yi)) put(set, paste0("weight_", i), weights(model)[i] / 100)
}
table <- do.call(rbind, rows)
table$value <- sprintf("%.12g", table$value)
write.table(table, arguments[1], sep = "\t", quote = FALSE, row.names = FALSE)
