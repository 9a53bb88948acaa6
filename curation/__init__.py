"""dolly-data: makes an instruction data set, makes it good, and lets people check it before release."""
