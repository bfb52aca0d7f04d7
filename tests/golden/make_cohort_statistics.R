# Make cohort_statistics__r_4.2.2.tsv: statistics of cohort_statistics_data.tsv (made-up numbers) by base R, pROC and
# survival.
#
#   Rscript tests/golden/make_cohort_statistics.R tests/golden/cohort_statistics_data.tsv OUT
suppressPackageStartupMessages({library(pROC); library(survival)})
arguments <- commandArgs(trailingOnly = TRUE)
data <- read.delim(arguments[1])
result <- c()
put <- function(name, value) result[[name]] <<- as.numeric(value)
for (column in c("score", "ties")) {
  first <- data[data$response == "R", column]
  second <- data[data$response == "NR", column]
  curve <- roc(data$response, data[[column]], levels = c("R", "NR"), direction = "<", quiet = TRUE)
  area <- as.numeric(auc(curve))
  se <- sqrt(var(curve, method = "delong"))
  half <- qnorm(0.975) * se / (area * (1 - area))
  put(paste0(column, "_auc"), area)
  put(paste0(column, "_auc_low"), plogis(qlogis(area) - half))
  put(paste0(column, "_auc_high"), plogis(qlogis(area) + half))
  put(paste0(column, "_p"), wilcox.test(first, second, exact = FALSE, correct = TRUE)$p.value)
  groups <- split(data[[column]], data$group)
  test <- kruskal.test(groups)
  put(paste0(column, "_kruskal_p"), test$p.value)
  put(paste0(column, "_epsilon_squared"), test$statistic / (nrow(data) - 1))
}
exact <- wilcox.test(data$score[data$response == "NR"], data$score[data$response == "R"], exact = TRUE, conf.int = TRUE)
put("shift", exact$estimate); put("shift_low", exact$conf.int[1]); put("shift_high", exact$conf.int[2])
paired <- wilcox.test(data$later, data$score, paired = TRUE, exact = TRUE, conf.int = TRUE)
put("paired_p", paired$p.value)
put("paired_shift", paired$estimate); put("paired_low", paired$conf.int[1]); put("paired_high", paired$conf.int[2])
total <- nrow(data) * (nrow(data) + 1) / 2
put("paired_rank_biserial", 2 * paired$statistic / total - 1)
scaled <- as.numeric(scale(data$score))
fit <- summary(coxph(Surv(days, event) ~ scaled, data = data))
put("hazard_ratio", fit$conf.int[1, "exp(coef)"])
put("hazard_low", fit$conf.int[1, "lower .95"]); put("hazard_high", fit$conf.int[1, "upper .95"])
put("hazard_p", fit$coefficients[1, "Pr(>|z|)"])
put("concordance", concordance(Surv(days, event) ~ scaled, data = data, reverse = TRUE)$concordance)
adjusted <- p.adjust(c(0.01, 0.04, 0.03, 0.5, 0.04), "BH")
for (i in seq_along(adjusted)) put(paste0("bh_", i), adjusted[i])
table <- data.frame(statistic = names(result), value = sprintf("%.15g", unlist(result)))
write.table(table, arguments[2], sep = "\t", quote = FALSE, row.names = FALSE)
