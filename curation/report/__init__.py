"""One page that shows what came in, what was kept, what was rejected and why."""
