namespace Omium.Runtime.Billing;

/// <summary>Whether executions of this host are metered, and by what. A host that meters registers one over the credits its engine runs with.</summary>
/// <param name="Executions">Reserves and charges; null = nothing is metered.</param>
public sealed record CreditDesk(ExecutionCredits? Executions);
