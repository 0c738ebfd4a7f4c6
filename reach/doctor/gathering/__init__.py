"""Asks AWS for what the checks judge: a module for each concern. The only package of the doctor with questions."""
