# Rscript tests/golden/ordinal.R > tests/golden/ordinal.json
suppressMessages({library(MASS); library(rms); library(Hmisc); library(jsonlite)})
# MASS::housing: satisfaction (Low < Medium < High) of 1,681 tenants in 72 cells; copied below as counts.
fit <- polr(Sat ~ Infl + Type + Cont, weights = Freq, data = housing, Hess = TRUE, control = list(reltol = 1e-14))
design <- model.matrix(Sat ~ Infl + Type + Cont, housing)[, -1]
long <- housing[rep(seq_len(nrow(housing)), housing$Freq), ]
score <- as.numeric(model.matrix(Sat ~ Infl + Type + Cont, long)[, -1] %*% coef(fit))
concordance <- rcorr.cens(score, as.numeric(long$Sat))
pairs <- combn(3, 2)
areas <- apply(pairs, 2, function(p) {
  here <- as.numeric(long$Sat) %in% p
  rcorr.cens(score[here], as.numeric(long$Sat)[here])[["C Index"]]
})
x <- model.matrix(Sat ~ Infl + Type + Cont, long)[, -1]
ridge <- lrm(long$Sat ~ x, penalty = 5, penalty.matrix = diag(ncol(x)), eps = 1e-12, maxit = 100)
cat(toJSON(list(
  source = unbox("R packages MASS, https://cran.r-project.org/package=MASS, rms and Hmisc, https://hbiostat.org/R/rms"),
  licence = unbox("GPL (MASS, rms, Hmisc); the numbers are facts, no code is copied"),
  version = unbox(paste("MASS", packageVersion("MASS"), "rms", packageVersion("rms"), "Hmisc", packageVersion("Hmisc"), "on R", getRversion())),
  date = unbox("2026-11-28"),
  provenance = unbox("tests/golden/ordinal.R: polr(Sat ~ Infl + Type + Cont, MASS::housing), lrm with penalty 5 and penalty.matrix = I, rcorr.cens"),
  outcome = as.integer(housing$Sat) - 1L, count = housing$Freq, design = unname(design),
  coefficients = unname(coef(fit)), thresholds = unname(fit$zeta), log_likelihood = unbox(as.numeric(logLik(fit))),
  ridge_coefficients = unname(coef(ridge)[-(1:2)]), ridge_thresholds = unname(-coef(ridge)[1:2]),
  generalised_c = unbox(concordance[["C Index"]]), somers_error = unbox(concordance[["S.D."]]),
  ordinal_c = unbox(mean(areas))), digits = 14))
