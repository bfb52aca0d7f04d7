# Make adjusted__r_4.2.2.tsv: adjusted models of adjusted_data.tsv (made-up patients) by glm, coxph of survival, and lm.
#
#   Rscript tests/golden/make_adjusted.R tests/golden/adjusted_data.tsv OUT
suppressPackageStartupMessages(library(survival))
arguments <- commandArgs(trailingOnly = TRUE)
data <- read.delim(arguments[1], na.strings = "")
data$responds <- as.integer(data$response == "R")
result <- c()
put <- function(name, value) result[[name]] <<- as.numeric(value)
put_ratio <- function(name, estimate, se) {
  put(name, exp(estimate))
  put(paste0(name, "_low"), exp(estimate - qnorm(0.975) * se)); put(paste0(name, "_high"), exp(estimate + qnorm(0.975) * se))
}
# a measure is in SD of the samples that a model uses
used <- function(columns) {
  rows <- data[complete.cases(data[, c("score", columns)]), ]
  rows$z <- as.numeric(scale(rows$score))
  rows
}
coefficient <- function(fit, name) summary(fit)$coefficients[name, ]
control <- glm.control(epsilon = 1e-14, maxit = 100)
exact <- coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 100)

rows <- used(c("purity", "site"))
fit <- glm(responds ~ z + purity + site, binomial, rows, control = control)
put_ratio("odds", coefficient(fit, "z")[1], coefficient(fit, "z")[2]); put("odds_n", nrow(rows))
fit <- coxph(Surv(days, event) ~ z + purity + site, rows, control = exact)
put_ratio("hazard", coefficient(fit, "z")[1], coefficient(fit, "z")[3]); put("hazard_events", fit$nevent)

rows <- used(c("age", "purity", "site"))
fit <- glm(responds ~ z + purity * site + factor(age > 60), binomial, rows, control = control)
put_ratio("products", coefficient(fit, "z")[1], coefficient(fit, "z")[2])

rows <- used(c("purity", "site", "arm"))
whole <- glm(responds ~ z * arm + purity + site, binomial, rows, control = control)
plain <- glm(responds ~ z + arm + purity + site, binomial, rows, control = control)
test <- anova(plain, whole, test = "LRT")
put("odds_statistic", test$Deviance[2]); put("odds_df", test$Df[2]); put("odds_p", test[["Pr(>Chi)"]][2])
for (arm in c("chemo", "combination")) {
  found <- coefficient(whole, paste0("z:arm", arm))
  put_ratio(paste0("odds_", arm), found[1], found[2])
}
whole <- coxph(Surv(days, event) ~ z * arm + purity + site, rows, control = exact)
plain <- coxph(Surv(days, event) ~ z + arm + purity + site, rows, control = exact)
statistic <- 2 * (whole$loglik[2] - plain$loglik[2])
put("hazard_statistic", statistic); put("hazard_p", pchisq(statistic, 2, lower.tail = FALSE))
for (arm in c("chemo", "combination")) {
  found <- coefficient(whole, paste0("z:arm", arm))
  put_ratio(paste0("hazard_", arm), found[1], found[3])
}

rows <- used(c("purity", "site", "response"))
fit <- lm(z ~ responds + purity + site, rows)
put("difference", coef(fit)["responds"])
put("difference_low", confint(fit)["responds", 1]); put("difference_high", confint(fit)["responds", 2])
rows <- used(c("purity", "site", "arm"))
test <- anova(lm(z ~ purity + site, rows), lm(z ~ arm + purity + site, rows))
f <- test$F[2]; df <- test$Df[2]; residual <- test$Res.Df[2]
put("f", f); put("f_p", test[["Pr(>F)"]][2]); put("eta", f * df / (f * df + residual))
bound <- function(tail) {
  if (pf(f, df, residual) < tail) return(0)
  uniroot(function(l) pf(f, df, residual, l) - tail, c(0, 200), tol = 1e-10)$root
}
put("eta_low", bound(0.975) / (bound(0.975) + df + residual + 1))
put("eta_high", bound(0.025) / (bound(0.025) + df + residual + 1))
table <- data.frame(statistic = names(result), value = sprintf("%.15g", unlist(result)))
write.table(table, arguments[2], sep = "\t", quote = FALSE, row.names = FALSE)
