# Made with R 4.x and Debian's r-cran-survival: Rscript tests/golden/cox.R > tests/golden/cox.json
# Cox regressions with ties (Efron), with a ridge penalty, of competing events, and with a single event.
suppressMessages({library(survival); library(jsonlite)})
options(digits = 17)
set.seed(20261128)
strict <- coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 100)

table <- function(n, competing) {
  d <- data.frame(id = 1:n, age = round(rnorm(n), 2), pressure = round(rnorm(n), 2), ill = rbinom(n, 1, 0.4))
  score <- 0.7 * d$age - 0.4 * d$pressure + 0.5 * d$ill
  first <- rexp(n, 0.05 * exp(score))
  second <- if (competing > 0) rexp(n, competing * exp(0.3 * d$age)) else rep(Inf, n)
  censored <- runif(n, 2, 30)
  # whole numbers make many ties; of several states R takes Breslow's way with ties, so those have none
  d$time <- if (competing > 0) pmin(first, second, censored) else ceiling(pmin(first, second, censored))
  d$status <- ifelse(censored < pmin(first, second), 0, ifelse(first <= second, 1, 2))
  d
}
new <- data.frame(age = c(-1, 0.5, 2), pressure = c(0.3, -1, 0), ill = c(0, 1, 1))
times <- c(1, 3, 7, 12, 20)

one <- function(d, ridge = NULL) {
  f <- if (is.null(ridge)) coxph(Surv(time, status == 1) ~ age + pressure + ill, d, ties = "efron", control = strict)
       else coxph(Surv(time, status == 1) ~ ridge(age, pressure, ill, theta = ridge, scale = FALSE), d,
                  ties = "efron", control = strict)
  found <- list(data = d, coefficients = unname(coef(f)), penalty = if (is.null(ridge)) 0 else ridge)
  if (is.null(ridge)) {
    found$loglik <- f$loglik[2]
    s <- summary(survfit(f, newdata = new), times = times, extend = TRUE)$surv
    found$incidence <- 1 - t(unname(s))
  }
  found
}
several <- function(d) {
  d$state <- factor(d$status, 0:2, c("none", "event", "other"))
  f <- coxph(Surv(time, state) ~ age + pressure + ill, d, id = id, ties = "efron", control = strict)
  s <- survfit(f, newdata = new)
  at <- sapply(times, function(t) max(c(0, which(s$time <= t))))
  pick <- function(k) t(sapply(1:nrow(new), function(i) sapply(at, function(a) if (a == 0) 0 else s$pstate[a, i, k])))
  list(data = d[, c("age", "pressure", "ill", "time", "status")], coefficients = unname(coef(f)),
       event = pick(2), other = pick(3))
}
few <- table(40, 0); few$status <- 0; few$status[order(few$time)[20]] <- 1
alone <- coxph(Surv(time, status == 1) ~ age, few, ties = "efron", control = strict)
found <- list(
  source = "R package survival of Debian 12",
  licence = "LGPL; the numbers are facts, no code is copied. Tables made by the script",
  version = paste("survival", packageVersion("survival"), "on R", getRversion()), date = as.character(Sys.Date()),
  provenance = "tests/golden/cox.R: coxph, basehaz, survfit of one and of several states",
  new = new, times = times,
  ties = one(table(150, 0)), censored_late = one(within(table(150, 0), {status[time > 8] <- 0; time[time > 8] <- 8})),
  ridge = one(table(60, 0), ridge = 2.5),
  competing = several(table(200, 0.03)), dominated = several(table(200, 0.4)),
  one_event = list(data = few[, c("age", "time", "status")], baseline = unname(basehaz(alone, centered = FALSE)$hazard[nrow(basehaz(alone))]),
                   coefficient = unname(coef(alone)))
)
cat(toJSON(found, digits = NA, auto_unbox = TRUE, dataframe = "columns"))
