# Writes nested lists as JSON with 17 significant digits, so that a stored number is the number R had.

emit <- function(value) {
  cat("{\n\"software\": ", json(software()), ",\n\"cases\": {\n", sep = "")
  lines <- vapply(names(value), function(name) paste0(quoted(name), ": ", json(value[[name]])), "")
  cat(lines, sep = ",\n")
  cat("\n}\n}\n")
}

software <- function() {
  used <- sort(names(sessionInfo()$otherPkgs))
  versions <- lapply(used, function(name) as.character(packageVersion(name)))
  c(list(R = paste(R.version$major, R.version$minor, sep = ".")), setNames(versions, used))
}

json <- function(value) {
  if (is.null(value)) return("null")
  if (is.list(value) && !is.null(names(value))) {
    items <- vapply(names(value), function(name) paste0(quoted(name), ": ", json(value[[name]])), "")
    return(paste0("{", paste(items, collapse = ", "), "}"))
  }
  if (is.list(value)) return(paste0("[", paste(vapply(value, json, ""), collapse = ", "), "]"))
  if (is.matrix(value)) return(json(lapply(seq_len(nrow(value)), function(i) array(unname(value[i, ])))))
  words <- if (is.character(value)) quoted(value) else if (is.logical(value)) tolower(value) else number(value)
  words[is.na(value)] <- "null"
  # An array of one stays an array; a plain number or word stands by itself.
  if (length(words) == 1 && !is.array(value)) words else paste0("[", paste(words, collapse = ", "), "]")
}

number <- function(value) {
  words <- sprintf("%.17g", value)
  ifelse(is.finite(value), words, "null")
}

quoted <- function(words) encodeString(words, quote = "\"")
