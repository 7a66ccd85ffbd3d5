"""Rules that turn samples into a verdict, each with its error rate: sign test, Mann-Whitney, ratio limit."""
