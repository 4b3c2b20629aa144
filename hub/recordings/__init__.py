"""Recordings of calls: started with the contact's knowledge, kept in our own store, heard by those who may."""
