# Rscript tests/golden/survival.R > tests/golden/survival.json
suppressMessages({library(survival); library(prodlim); library(riskRegression); library(pec); library(cmprsk); library(geepack); library(jsonlite)})

cll <- function(p) log(-log(1 - p))
# Decision curve of Vickers 2008: the incidence in those called, by survfit of them alone.
benefit <- function(d, t, p, competing) {
  called <- d$risk >= p
  if (!any(called)) return(0)
  f <- incidence(d[called, ], t, competing)[1, 1]
  mean(called) * (f - (1 - f) * p / (1 - p))
}
incidence <- function(d, times, competing) {
  if (competing) {
    s <- summary(survfit(Surv(time, factor(status)) ~ 1, d), times = times, extend = TRUE)
    return(cbind(s$pstate[, 2], s$std.err[, 2], s$pstate[, 1]))
  }
  s <- summary(survfit(Surv(time, status) ~ 1, d), times = times, extend = TRUE)
  cbind(1 - s$surv, s$std.err, s$surv)
}
table_of <- function(d, horizons, thresholds) {
  competing <- any(d$status == 2)
  inc <- incidence(d, horizons, competing)
  reverse <- prodlim(Hist(time, status > 0) ~ 1, d, reverse = TRUE)
  form <- if (competing) Hist(time, status) ~ 1 else Surv(time, status) ~ 1
  at <- lapply(seq_along(horizons), function(i) {
    t <- horizons[i]; d$risk <- d[[paste0("risk", i)]]
    score <- Score(list(m = matrix(d$risk, ncol = 1)), formula = form, data = d, times = t, metrics = c("auc", "brier"),
                   se.fit = TRUE, conf.int = 0.95, contrasts = FALSE, null.model = TRUE, cens.model = "km", cause = 1)
    assign("d", d, globalenv())  # survival looks the table up again by its name
    pseudo <- if (competing) n_pseudo(d, t) else 1 - pseudo(survfit(Surv(time, status) ~ 1, d), times = t, type = "surv")
    d$y <- as.numeric(pseudo); d$x <- cll(d$risk); d$id <- seq_len(nrow(d))
    slope <- geese(y ~ x, data = d, id = id, scale.fix = TRUE, mean.link = "cloglog", corstr = "independence",
                   control = geese.control(epsilon = 1e-10, maxit = 200), b = c(0, 1))
    large <- geese(y ~ 1 + offset(x), data = d, id = id, scale.fix = TRUE, mean.link = "cloglog", corstr = "independence",
                   control = geese.control(epsilon = 1e-10, maxit = 200))
    brier <- as.data.frame(score$Brier$score); auc <- as.data.frame(score$AUC$score)
    harrell <- NA; harrell_error <- NA
    if (!competing) {
      u <- concordance(Surv(time, status) ~ risk, d, reverse = TRUE, timewt = "n/G2", ymax = t)
      h <- concordance(Surv(time, status) ~ risk, d, reverse = TRUE, timewt = "n", ymax = t)
      uno <- u$concordance; harrell <- h$concordance; harrell_error <- sqrt(h$var)
    } else {
      uno <- cindex(list(m = matrix(d$risk, ncol = 1)), formula = Hist(time, status) ~ 1, data = d, eval.times = t,
                    cause = 1, cens.model = "marginal", verbose = FALSE)$AppCindex$m
    }
    list(horizon = unbox(t), incidence = unbox(inc[i, 1]), incidence_error = unbox(inc[i, 2]), event_free = unbox(inc[i, 3]),
         auroc = unbox(auc$AUC[auc$model == "m"]), auroc_error = unbox(auc$se[auc$model == "m"]),
         brier = unbox(brier$Brier[brier$model == "m"]), brier_error = unbox(brier$se[brier$model == "m"]),
         null_brier = unbox(brier$Brier[brier$model != "m"]),
         uno_c = unbox(as.numeric(uno)), harrell_c = unbox(as.numeric(harrell)), harrell_error = unbox(as.numeric(harrell_error)),
         pseudo = d$y, calibration_slope = unbox(unname(slope$beta[2])),
         calibration_intercept = unbox(unname(large$beta[1])),
         net_benefit = sapply(thresholds, function(p) benefit(d, t, p, competing)))
  })
  grid <- sort(unique(d$time))[unique(round(seq(1, length(unique(d$time)), length.out = 25)))]
  curve <- incidence(d, grid, competing)
  cum <- if (competing) { u <- timepoints(cuminc(d$time, d$status), grid); unname(u$est[1, ]) } else curve[, 1]
  list(duration = d$time, event = as.integer(d$status), risk = unname(as.matrix(d[, paste0("risk", seq_along(horizons))])),
       thresholds = thresholds, at = at, times = grid, incidence = unname(curve[, 1]), incidence_error = unname(curve[, 2]),
       cuminc = cum, at_risk = summary(survfit(Surv(time, status > 0) ~ 1, d), times = grid, extend = TRUE)$n.risk,
       uncensored = predict(reverse, times = grid), median_follow_up = unbox(reverse$time[which(reverse$surv <= 0.5)[1]]),
       person_time = unbox(sum(d$time)))
}
n_pseudo <- function(d, t) {
  fit <- survfit(Surv(time, factor(status)) ~ 1, d, id = seq_len(nrow(d)))
  pseudo(fit, times = t, type = "pstate")[, 2]
}
cox_risks <- function(d, x, horizons, flatten = 1) {
  fit <- coxph(as.formula(paste("Surv(time, status == 1) ~", x)), d, x = TRUE)
  lp <- predict(fit, type = "lp") * flatten
  base <- basehaz(fit, centered = TRUE)
  for (i in seq_along(horizons)) {
    h <- base$hazard[max(which(base$time <= horizons[i]))]
    d[[paste0("risk", i)]] <- round(pmin(1 - exp(-h * exp(lp)), 0.98), 6)
  }
  d[, c("time", "status", paste0("risk", seq_along(horizons)))]
}
thresholds <- c(0.1, 0.2, 0.35, 0.5)

lung1 <- na.omit(transform(lung, status = status - 1)[, c("time", "status", "age", "sex", "ph.ecog")])
lung1 <- cox_risks(lung1, "age + sex + ph.ecog", c(180.5, 365.5, 600.5))
pbc1 <- na.omit(transform(pbc, status = c(0, 2, 1)[status + 1])[1:312, c("time", "status", "age", "bili", "albumin")])
# No ties in the two tables with competing events: pec takes the censoring after a time for one of two patients, not before it.
untied <- function(d) transform(d, time = time + seq_along(time) / 1000)
pbc1 <- cox_risks(untied(pbc1), "age + log(bili) + albumin", c(1000.5, 2000.5, 3000.5), 1.3)
mg <- mgus2[seq(1, nrow(mgus2), 3), ]
mg <- na.omit(data.frame(time = ifelse(mg$pstat == 1, mg$ptime, mg$futime), status = ifelse(mg$pstat == 1, 1, 2 * mg$death),
                         age = mg$age, mspike = mg$mspike))
mg <- cox_risks(untied(mg), "age + mspike", c(60.5, 120.5, 180.5))
# Ties: times in half years, risks in fives; and a censoring time at which everyone left is censored.
ties <- transform(lung1, time = ceiling(time / 90), risk1 = round(risk1 * 20) / 20, risk2 = round(risk2 * 20) / 20, risk3 = round(risk3 * 20) / 20)
ties$risk1 <- pmax(ties$risk1, 0.05); ties$risk2 <- pmax(ties$risk2, 0.05); ties$risk3 <- pmin(pmax(ties$risk3, 0.05), 0.95)
ended <- transform(lung1, status = ifelse(time > 400, 0, status), time = pmin(time, 400))
# A single event; and twelve events beside 304 that compete.
events <- lung1[1:80, ]; seen <- which(events$status == 1)
one <- events; one$status[setdiff(seen, seen[order(one$time[seen])[10]])] <- 0
dominated <- mg; dominated$status[dominated$status == 1][-(1:12)] <- 2
veteran1 <- cox_risks(transform(veteran, prior = prior / 10), "karno + age + prior", c(50.5, 100.5, 200.5), 0.8)

out <- list(
  source = unbox("R packages survival, prodlim, riskRegression, pec, cmprsk, geepack of Debian 12"),
  licence = unbox("GPL or LGPL; the numbers are facts, no code is copied. Tables: survival's lung, pbc, mgus2, veteran"),
  version = unbox(paste(c(sapply(c("survival", "prodlim", "riskRegression", "pec", "cmprsk", "geepack"), function(p) paste(p, packageVersion(p))),
                          paste("on R", getRversion())), collapse = " ")),
  date = unbox("2026-11-29"),
  provenance = unbox("tests/golden/survival.R: survfit, concordance, pseudo, prodlim(reverse), Score, cindex, cuminc, geese; net benefit as Vickers 2008 from survfit"),
  tables = list(
    lung = table_of(lung1, c(180.5, 365.5, 600.5), thresholds),
    veteran = table_of(veteran1, c(50.5, 100.5, 200.5), thresholds),
    pbc = table_of(pbc1, c(1000.5, 2000.5, 3000.5), thresholds),
    mgus2 = table_of(mg, c(60.5, 120.5, 180.5), thresholds / 10),
    ties = table_of(ties, c(2.5, 4.5, 6.5), thresholds),
    ended = table_of(ended, c(180.5, 365.5), thresholds),
    one = table_of(one, 365.5, thresholds),
    dominated = table_of(dominated, c(60.5, 120.5, 180.5), thresholds / 10)
  )
)
cat(toJSON(out, digits = 12, na = "null"))
