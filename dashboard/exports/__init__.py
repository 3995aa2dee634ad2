"""Reports as files: one `Report`, written as Excel, CSV or PDF with the same cells."""
