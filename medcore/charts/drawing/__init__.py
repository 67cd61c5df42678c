"""How every chart is drawn: the theme, marks over charts, lines and labels, the table behind it, the picture on paper."""
