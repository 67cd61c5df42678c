# Rscript tests/golden/metafor_reml.R > tests/golden/metafor_reml.json
suppressMessages({library(metafor); library(jsonlite)})
tables <- list(
  four_sites = list(y = c(2.0, 2.06, 0.98, 0.66), se = c(0.11, 0.14, 0.29, 0.17)),
  ten_sites = list(y = c(0.9, 1.4, 0.2, 1.1, 0.7, 0.6, 1.3, 0.4, 0.95, 1.2),
                   se = c(0.2, 0.3, 0.15, 0.25, 0.2, 0.1, 0.4, 0.22, 0.18, 0.3)),
  alike = list(y = c(0.5, 0.5, 0.51), se = c(0.2, 0.2, 0.2)),
  two_sites = list(y = c(-2, 3), se = c(0.1, 1.0)))
control <- list(threshold = 1e-12, maxiter = 10000)
found <- lapply(tables, function(d) {
  hk <- rma(yi = d$y, sei = d$se, method = "REML", test = "knha", control = control)
  z <- rma(yi = d$y, sei = d$se, method = "REML", test = "z", control = control)
  list(y = d$y, se = d$se, mean = unbox(as.numeric(hk$b)), se_hartung_knapp = unbox(hk$se), se_ordinary = unbox(z$se),
       tau2 = unbox(hk$tau2), i2 = unbox(hk$I2 / 100))
})
cat(toJSON(list(
  source = unbox("R package metafor, https://www.metafor-project.org"),
  licence = unbox("GPL (metafor); the numbers are facts, no code is copied"),
  version = unbox(paste("metafor", packageVersion("metafor"), "on R", getRversion())),
  date = unbox("2026-11-28"),
  provenance = unbox("tests/golden/metafor_reml.R: rma(method='REML') with test='knha' and test='z', threshold 1e-12"),
  tables = found), digits = 14, pretty = TRUE))
