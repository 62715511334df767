"""How many small changes of the judge and of bundles their tests notice."""
