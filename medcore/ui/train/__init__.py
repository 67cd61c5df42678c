"""The Train page: settings, a run as it learns, its search, what it can export."""
