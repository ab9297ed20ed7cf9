"""Statistical methods on thousands of invented trials whose truth is known, against bands written beforehand."""
