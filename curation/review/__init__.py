"""People look at records: a sample is drawn, decisions are taken back and applied."""
