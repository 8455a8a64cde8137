{
  name: "Workflow Name",
  type: "workflow_type",  // Unique identifier
  description: "What this workflow does",
  steps: [
    {
      id: "unique_step_id",
      action: "step_action",
      delay: 0,              // Milliseconds to wait before execution
      // Action-specific parameters
    }
  ],
  is_active: true
}
