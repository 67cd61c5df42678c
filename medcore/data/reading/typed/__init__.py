"""Files whose cells stand apart already: spreadsheets, Parquet, Feather, Stata, SAS, SPSS, JSON, and tables of web pages."""
