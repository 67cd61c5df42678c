# Rscript tests/golden/number.R > tests/golden/number.json
suppressMessages({library(sandwich); library(MASS); library(survival); library(jsonlite)})

satterthwaite <- function(psi) { s <- sum(psi^2); 2 * s^2 / (sum(psi^4) - s^2 / length(psi)) }
summed <- function(psi, id) if (is.null(id)) psi else as.vector(tapply(psi, id, sum))
interval <- function(value, psi, id) {
  by <- summed(psi, id)
  se <- sqrt(sum(by^2) * if (is.null(id)) 1 else length(by) / (length(by) - 1))
  value + c(-1, 1) * qt(0.975, min(satterthwaite(by), 1e6)) * se
}
figures <- function(y, p, id = NULL) {
  e <- y - p; n <- length(y); fit <- lm(y ~ p); null <- lm(e ~ 1)
  robust <- function(m) if (is.null(id)) vcovHC(m, type = "HC3") else vcovCL(m, cluster = id, type = "HC0", cadjust = TRUE)
  s <- (y - mean(y))^2; g <- cbind(e^2 / mean(e^2) - 1, s / mean(s) - 1) / n
  left <- log(sum(e^2) / sum(s))
  list(y = y, p = p, id = if (is.null(id)) NULL else as.integer(id),
       r2 = 1 - exp(left), r2_interval = rev(1 - exp(interval(left, g[, 1] - g[, 2], id))),
       rmse = sqrt(mean(e^2)), rmse_interval = rev(sqrt(mean(e^2) / interval(1, g[, 1], id))),
       mae = mean(abs(e)), median_ae = median(abs(e)),
       large = unname(coef(null)), large_se = sqrt(robust(null)[1, 1]),
       slope = unname(coef(fit)[2]), slope_se = sqrt(robust(fit)[2, 2]),
       sd = sd(e), limits = mean(e) + c(-1, 1) * qnorm(0.975) * sd(e))
}
boston <- MASS::Boston; odd <- seq_len(nrow(boston)) %% 2 == 1
a <- predict(lm(medv ~ lstat + rm + ptratio, boston[odd, ]), boston[!odd, ])
birth <- MASS::birthwt; b <- predict(lm(bwt ~ age + lwt + smoke, birth[1:120, ]), birth[121:189, ])
pbc <- na.omit(survival::pbcseq[, c("id", "bili", "albumin", "protime", "age")])
c <- predict(lm(log(bili) ~ albumin + protime + age, pbc[pbc$id %% 2 == 0, ]), pbc[pbc$id %% 2 == 1, ])
odd <- pbc[pbc$id %% 2 == 1, ]; keep <- odd$id <= 120
out <- list(source = "R's lm and the package sandwich of Debian 12",
            licence = "GPL; the numbers are facts, no code is copied. Tables: MASS's Boston and birthwt, survival's pbcseq",
            version = paste("sandwich", packageVersion("sandwich"), "on R", getRversion()), date = as.character(Sys.Date()),
            provenance = "tests/golden/number.R: lm, vcovHC and vcovCL; intervals from influences by Satterthwaite",
            boston = figures(boston$medv[seq(2, 506, 2)], unname(a)),
            birthwt = figures(as.numeric(birth$bwt[121:189]), unname(b)),
            pbcseq = figures(log(odd$bili)[keep], unname(c)[keep], odd$id[keep]))
cat(toJSON(out, digits = 12, auto_unbox = TRUE))
