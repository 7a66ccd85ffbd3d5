"""What every format says of a bench report: columns, groups, sentences, notices."""
