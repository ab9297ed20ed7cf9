# The longitudinal model without censoring in R: lme with a random intercept and an SD by visit, maximum likelihood,
# one baseline mean for both arms.
# needs: nlme
# Run in this folder: Rscript longitudinal.R > longitudinal.json

source("../emit.R")
library(nlme)

data <- read.csv("longitudinal.csv", stringsAsFactors = FALSE)
tight <- lmeControl(opt = "nlminb", msMaxIter = 1000, maxIter = 1000, tolerance = 1e-12, msTol = 1e-14, niterEM = 50)

case <- function(name) {
  part <- data[data$case == name, ]
  visits <- max(part$visit)
  for (v in seq_len(visits)) part[[paste0("change", v)]] <- as.numeric(part$visit == v & part$arm == 1)
  part$at <- factor(part$visit)
  formula <- as.formula(paste("y ~ 0 + at +", paste0("change", seq_len(visits), collapse = " + ")))
  fit <- lme(formula, random = ~ 1 | person, weights = varIdent(form = ~ 1 | at), data = part, method = "ML",
             control = tight)
  ratio <- coef(fit$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)
  list(coefficients = array(unname(fixef(fit))), log_likelihood = as.numeric(logLik(fit)),
       intercept_sd = as.numeric(sqrt(getVarCov(fit)[1, 1])),
       residual_sd = array(unname(fit$sigma * ratio[levels(part$at)])))
}

names <- unique(data$case)
emit(setNames(lapply(names, case), names))
