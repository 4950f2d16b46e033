"""The pipelines, one a question: a request in, facts and findings out."""
