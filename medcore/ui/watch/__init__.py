"""Parts of the Watch page: which version, its months and alarms, its charts, and the page on a month."""
