{
  id: "swipe_session",
  action: "swipe_with_spectre",
  delay: 0,
  swipeCount: 20,     // Number of swipes
  critical: true
}
