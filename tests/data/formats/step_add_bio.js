{
  id: "add_bio",
  action: "add_bio",
  delay: 0,
  bio: "Custom bio",  // Optional: custom bio text
  critical: false
}
