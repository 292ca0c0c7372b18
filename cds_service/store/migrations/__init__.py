"""Steps from one form of the database to the next. Forward only: to go back, restore the backup taken before."""
