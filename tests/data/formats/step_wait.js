{
  id: "wait_30s",
  action: "wait",
  delay: 30000,
  description: "Wait 30 seconds"
}
