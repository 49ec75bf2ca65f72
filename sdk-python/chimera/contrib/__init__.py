"""What goes beyond the core of the package, one module for each subject."""
