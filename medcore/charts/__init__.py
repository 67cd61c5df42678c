"""Results as plotly figures: one function a result, one theme for all.

``from medcore.charts import theme`` gives the theme; the other modules of this
room hold the charts, each next to the result that it draws.
"""
