"""The same contents as a document in PDF, a CSV file or a workbook."""
