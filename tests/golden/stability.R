# Rscript tests/golden/stability.R PDI.R STABILITY.R > tests/golden/stability.json
# PDI.R holds .pdiest_dover of mcca's R/pdi.R, STABILITY.R mape_stability and the bounds of prediction_stability of
# pminternal's R/stability_plot.R, without their plotting. Neither package is in Debian, and their code is not kept here.
suppressMessages({library(rms); library(jsonlite)})
for (file in commandArgs(TRUE)) source(file)
get_stability <- function(x) x
judged <- fromJSON("tests/golden/judged.json")
z <- judged$predictors; y <- judged$outcome
risk <- function(i) {
  fit <- lrm.fit(z[i, ], y[i], tol = 1e-14, maxit = 50)
  plogis(as.numeric(fit$coefficients[1] + z %*% fit$coefficients[-1]))
}
all <- round(cbind(risk(seq_along(y)), apply(judged$samples + 1, 1, risk)), 9)
kept <- list(stability = all)
bounds <- prediction_bounds(kept)
index <- function(k, p) as.numeric(.pdiest_dover(data.frame(outcome = k, p)))
ties <- round(judged$risks * 4) / 4 # many sets of three with the same risk
set.seed(5)
four <- sample(0:3, 120, TRUE); p4 <- round(matrix(runif(480), 120) + 0.8 * diag(4)[four + 1, ], 1)
cat(toJSON(list(
  source = unbox("R packages mcca, https://CRAN.R-project.org/package=mcca (polytomous discrimination index, Dover et al. 2021), and pminternal, https://github.com/stephenrho/pminternal (instability, Riley & Collins 2023)"),
  licence = unbox("GPL (mcca), GPL (pminternal); the numbers are facts, no code is copied"),
  version = unbox(paste("mcca at cran/mcca d3e8ef5, pminternal at 01f0b5e, rms", packageVersion("rms"), "on R", getRversion())),
  date = unbox("2026-11-29"),
  provenance = unbox("tests/golden/stability.R on the outcome, samples, classes and risks of judged.json: .pdiest_dover, mape_stability, bounds of prediction_stability"),
  pdi = unbox(index(judged$class, judged$risks)[1]), pdi_with_ties = unbox(index(judged$class, ties)[1]),
  four = four, four_risks = unname(p4), pdi_of_four = unbox(index(four, p4)[1]),
  risk = all[, 1], refits = unname(t(all[, -1])), mape = mape_stability(kept)$individual_mape,
  mean_mape = unbox(mape_stability(kept)$average_mape), low = unname(bounds[, 1]), high = unname(bounds[, 2])), digits = 12))
