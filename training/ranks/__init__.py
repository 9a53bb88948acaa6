"""Several processes that train one model together: who is who, what each has of it, and how they are started."""
