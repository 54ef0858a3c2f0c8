namespace Omium.Contracts.Access;

/// <summary><c>GET</c> and <c>PUT /v1/retention</c>.</summary>
/// <param name="ExecutionsDays">Executions that ended so many days ago are erased, from 1 to 36,500; null = kept.</param>
/// <param name="LegalHold">True: nothing of the tenant is erased, whatever is asked or due.</param>
/// <param name="Reason">Why, for whoever looks later; at most 500 characters.</param>
public sealed record RetentionView(int? ExecutionsDays = null, bool LegalHold = false, string? Reason = null);

/// <summary>What was erased.</summary>
/// <param name="Subject">The person or execution.</param>
/// <param name="ErasedAt">When. What was sealed about it cannot be read any more, by anybody; hashes over it hold.</param>
public sealed record ErasureView(string Subject, DateTimeOffset ErasedAt);
