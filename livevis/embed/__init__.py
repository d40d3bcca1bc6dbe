"""What is heard → vectors that mean something: samples in, embeddings with their window and age out."""
