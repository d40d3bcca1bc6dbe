"""TPoS (Jeong et al. 2023): sound as rows of the text condition, offline and as it comes in."""
