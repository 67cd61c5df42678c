# Rscript tests/golden/judged.R > tests/golden/judged.json
suppressMessages({library(rms); library(pROC); library(jsonlite)})
set.seed(20261129)
n <- 150
x <- rnorm(n)
y <- rbinom(n, 1, plogis(-0.5 + x))
p <- round(plogis(-0.8 + 1.4 * x + rnorm(n, 0, 0.3)), 6)
found <- val.prob(p, y, pl = FALSE, smooth = TRUE) # its C is of risks put into bins: somers2 gives the exact one
large <- glm(y ~ 1, offset = qlogis(p), family = binomial, control = list(epsilon = 1e-14))
# Harrell's optimism over ten samples, by lrm: the samples are kept with the numbers.
z <- round(cbind(x, matrix(rnorm(4 * n), n)), 4)
rows <- t(replicate(10, sample(n, n, TRUE)))
one <- function(i) {
  fit <- lrm.fit(z[i, ], y[i], tol = 1e-14, maxit = 50)
  score <- as.numeric(fit$coefficients[1] + z %*% fit$coefficients[-1])
  c(somers2(score[i], y[i])[["C"]] - somers2(score, y)[["C"]], mean((plogis(score[i]) - y[i])^2) - mean((plogis(score) - y)^2))
}
optimism <- rowMeans(apply(rows, 1, one))
k <- sample(1:3, n, TRUE, c(0.5, 0.3, 0.2))
score <- matrix(rnorm(3 * n), n) + 1.1 * diag(3)[k, ]
risk <- round(exp(score) / rowSums(exp(score)), 6)
colnames(risk) <- c("1", "2", "3")
hand_till <- as.numeric(multiclass.roc(factor(k), risk, direction = ">", quiet = TRUE)$auc)
# Restricted cubic splines of Hmisc, at given knots, in the scale of its default norm = 2.
knots <- c(-1.5, -0.4, 0.3, 1.6)
cat(toJSON(list(
  source = unbox("R packages rms and Hmisc, https://hbiostat.org/R/rms, and pROC, https://xrobin.github.io/pROC"),
  licence = unbox("GPL (rms, Hmisc, pROC); the numbers are facts, no code is copied"),
  version = unbox(paste("rms", packageVersion("rms"), "Hmisc", packageVersion("Hmisc"), "pROC", packageVersion("pROC"), "on R", getRversion())),
  date = unbox("2026-11-29"),
  provenance = unbox("tests/golden/judged.R: val.prob, somers2, glm with an offset, lrm.fit on ten kept samples, multiclass.roc (Hand and Till), rcspline.eval"),
  outcome = y, risk = p, c = unbox(somers2(p, y)[["C"]]), brier = unbox(found[["Brier"]]), slope = unbox(found[["Slope"]]),
  in_the_large = unbox(unname(coef(large))), ici = unbox(found[["Eavg"]]), e90 = unbox(found[["E90"]]),
  predictors = z, samples = rows - 1L, optimism = optimism,
  class = k - 1L, risks = unname(risk), hand_till = unbox(hand_till),
  knots = knots, spline = unname(rcspline.eval(z[, 1], knots = knots))), digits = 12))
