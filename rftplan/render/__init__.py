"""Values to documents, documents to text. No I/O: nothing here opens, prints, or asks what time it is."""
