"""What is heard and what is played → what the generator is asked to show."""
