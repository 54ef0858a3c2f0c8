using System.Text.Json.Serialization;
using Omium.Api.Audit;
using Omium.Api.Executions;
using Omium.Api.Sessions;
using Omium.Runtime.Audit;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Tenants;

/// <summary>How long things are kept: document kind <c>retention</c> of the tenant, id <c>all</c>.</summary>
internal sealed record StoredRetention(int? ExecutionsDays, bool LegalHold, string? Reason) : AuditedDocument
{
    public static readonly StoredRetention None = new(null, false, null);
}

/// <summary>An erasure that was begun: kind <c>erasure</c> of the tenant by subject. Each of its steps may be done again.</summary>
internal sealed record StoredErasure(string Subject, string Kind, IReadOnlyList<string> Persons, bool IsDone, long AtMs) : AuditedDocument
{
    public const string Person = "person", Execution = "execution";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredRetention))]
[JsonSerializable(typeof(StoredErasure))]
internal sealed partial class RetentionJson : JsonSerializerContext;

/// <summary>
/// Erasing is destroying keys: chains, envelopes and audit rows stay and still verify. Guarantees: what an erasure began is finished, also by the next
/// process; under a legal hold nothing begins; every erasure stands in the audit trail before its first key is gone.
/// </summary>
internal sealed class RetentionService(
    AuditedStore store, IDocumentStore documents, Acts acts, PersonVault persons, TenantDirectory tenants, AccountService accounts, IEventLog log, IIndex index, Advancer advancer,
    ForkFamily family, TimeProvider time)
{
    private const string RetentionKind = "retention", RetentionId = "all", ErasureKind = "erasure";
    private const int PageSize = 200;
    private static readonly string[] Ended = ["succeeded", "failed", "cancelled"];

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>What is set.</summary>
    public async ValueTask<StoredRetention> ReadAsync(string tenant, CancellationToken cancellation) =>
        (await store.ReadAsync(RetentionKey(tenant), RetentionJson.Default.StoredRetention, cancellation)).Value ?? StoredRetention.None;

    /// <summary>Sets it.</summary>
    public async Task SetAsync(string tenant, StoredRetention retention, string by, Origin origin, CancellationToken cancellation)
    {
        var detail = Acts.Detail(
            ("executions_days", retention.ExecutionsDays?.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("legal_hold", retention.LegalHold ? "true" : "false"), ("reason", retention.Reason));
        var entry = await acts.MakeAsync(tenant, "retention.set", by, tenant, detail, origin, null, cancellation);
        await store.ChangeAsync(tenant, RetentionKey(tenant), RetentionJson.Default.StoredRetention, _ => (retention, entry), cancellation);
    }

    /// <summary>Erases what a tenant holds about a person, who leaves it; their account too when they belong to no other. A refusal, or null and false: nobody of this id was ever here.</summary>
    public async Task<(bool IsErased, RosterRefusal? Refusal)> ErasePersonAsync(string tenant, string user, string by, Origin origin, CancellationToken cancellation)
    {
        if (await HoldAsync(tenant, cancellation) is { } hold)
        {
            return (false, hold);
        }

        if (!await persons.KnowsAsync(tenant, user, cancellation) && (await tenants.RosterAsync(tenant, cancellation)).Find(user) is null)
        {
            return (false, null);
        }

        if ((await tenants.RemoveMemberAsync(tenant, user, by, origin, cancellation)).Refusal is { } refusal)
        {
            return (false, refusal);
        }

        string[] names = [user, .. (await accounts.FindAsync(user, cancellation))?.Persons ?? []];
        await BeginAsync(tenant, new StoredErasure(user, StoredErasure.Person, names, false, NowMs), "person.erased", by, origin, cancellation);
        await FinishAsync(tenant, user, cancellation);
        return (true, null);
    }

    /// <summary>
    /// Erases an ended execution, and with it its root and every fork of that: they share one key. Refused while any of them is under way, whose records
    /// nobody could read any more, nor say what of its effects has happened. Null when it is done.
    /// </summary>
    public async Task<RosterRefusal?> EraseExecutionAsync(ExecutionCell cell, string by, Origin origin, CancellationToken cancellation)
    {
        var tenant = cell.Stream.Tenant;
        if (await HoldAsync(tenant, cancellation) is { } hold)
        {
            return hold;
        }

        if (IsUnderWay(cell))
        {
            return new("execution_not_ended", "What is under way cannot be erased.");
        }

        var root = cell.Lineage?.Root ?? cell.Stream;
        await family.CloseAsync(root, cancellation);
        try
        {
            if (await FamilyAtWorkAsync(root, cancellation) is { } atWork)
            {
                return atWork;
            }

            await BeginAsync(tenant, new StoredErasure(root.Id, StoredErasure.Execution, [], false, NowMs), "execution.erased", by, origin, cancellation);
            advancer.Forget(cell.Stream);
            await FinishAsync(tenant, root.Id, cancellation);
            return null;
        }
        finally
        {
            await family.OpenAsync(root, CancellationToken.None); // Nothing can be forked from what has no key.
        }
    }

    /// <summary>Why those who share a key cannot be erased: one of them is under way, or about to be. Null when none is.</summary>
    private async Task<RosterRefusal?> FamilyAtWorkAsync(StreamId root, CancellationToken cancellation)
    {
        if (await family.IsOneBeginningAsync(root, cancellation))
        {
            return new("execution_not_ended", "A fork that shares its key is about to begin: ask again in a minute.");
        }

        await foreach (var member in family.MembersAsync(root, cancellation))
        {
            if (IsUnderWay(member))
            {
                return new("execution_not_ended", $"{member.Stream.Id} shares its key, and is under way: end it first.");
            }

            if (await ParentUnderWayAsync(member, cancellation) is { } parent)
            {
                return new("execution_not_ended", $"{parent} is under way, and may have to take back its child {member.Stream.Id}: end it first.");
            }
        }

        return null;
    }

    /// <summary>Finishes what dead processes began, and erases what is due. Answers how many executions were.</summary>
    public async Task<int> SweepAsync(string tenant, CancellationToken cancellation)
    {
        string? after = null;
        IReadOnlyList<StoredDocument> page;
        do
        {
            page = await documents.ListAsync(tenant, ErasureKind, "", after, PageSize, cancellation);
            foreach (var stored in page)
            {
                await FinishAsync(tenant, stored.Key.Id, cancellation);
                after = stored.Key.Id;
            }
        }
        while (page.Count == PageSize);

        var retention = await ReadAsync(tenant, cancellation);
        return retention is { ExecutionsDays: { } days, LegalHold: false } ? await EraseDueAsync(tenant, NowMs - (days * 86_400_000L), cancellation) : 0;
    }

    private async Task<int> EraseDueAsync(string tenant, long beforeMs, CancellationToken cancellation)
    {
        var erased = 0;
        foreach (var status in Ended)
        {
            string? cursor = null;
            do
            {
                var page = await index.QueryAsync(new IndexQuery(tenant, IndexKinds.Execution) { Status = status, ToUnixMs = beforeMs, Limit = PageSize, Cursor = cursor }, cancellation);
                foreach (var row in page.Rows.Where(row => row.EndedUnixMs < beforeMs && !row.Active))
                {
                    // An erased one has no cell any more: it is passed over by one read.
                    if (await log.ReadKeyAsync(new StreamId(tenant, row.Id), cancellation) is not null && await advancer.FindAsync(new StreamId(tenant, row.Id), cancellation) is { } cell
                        && await IsDueAsync(cell, beforeMs, cancellation))
                    {
                        erased += await EraseExecutionAsync(cell, Acts.Omium, Origin.None, cancellation) is null ? 1 : 0;
                    }
                }

                cursor = page.NextCursor;
            }
            while (cursor is not null);
        }

        return erased;
    }

    /// <summary>True when all who share the key have ended before: one that is kept for longer keeps the others.</summary>
    private async Task<bool> IsDueAsync(ExecutionCell cell, long beforeMs, CancellationToken cancellation)
    {
        await foreach (var member in family.MembersAsync(cell.Lineage?.Root ?? cell.Stream, cancellation))
        {
            if (IsUnderWay(member) || member.State.EndedMs >= beforeMs)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The nearest execution above a child that is under way, and may yet have it rolled back; null when there is none.</summary>
    private async ValueTask<string?> ParentUnderWayAsync(ExecutionCell cell, CancellationToken cancellation)
    {
        while (cell.State.Parent is { } parent && await advancer.FindCurrentAsync(new StreamId(cell.Stream.Tenant, parent.Execution), cancellation) is { } above)
        {
            if (IsUnderWay(above))
            {
                return parent.Execution;
            }

            cell = above;
        }

        return null;
    }

    private static bool IsUnderWay(ExecutionCell cell) => !cell.State.Ended || cell.Pending.Count > 0;

    private async Task BeginAsync(string tenant, StoredErasure erasure, string action, string by, Origin origin, CancellationToken cancellation)
    {
        // Who erases themselves leaves no origin behind: it would be sealed with the key that goes.
        var entry = await acts.MakeAsync(tenant, action, by, erasure.Subject, null, erasure.Persons.Contains(by) ? Origin.None : origin, null, cancellation);
        await store.ChangeAsync(tenant, ErasureKey(tenant, erasure.Subject), RetentionJson.Default.StoredErasure, known => known is { IsDone: false } ? null : (erasure, entry), cancellation);
    }

    private async Task FinishAsync(string tenant, string subject, CancellationToken cancellation)
    {
        var key = ErasureKey(tenant, subject);
        if (await documents.GetAsync(key, cancellation) is not { } stored
            || System.Text.Json.JsonSerializer.Deserialize(stored.Content, RetentionJson.Default.StoredErasure) is not { IsDone: false } erasure)
        {
            return;
        }

        if (erasure.Kind == StoredErasure.Execution)
        {
            await log.DestroyKeyAsync(new StreamId(tenant, subject), cancellation);
            advancer.Forget(new StreamId(tenant, subject));
        }
        else
        {
            foreach (var person in erasure.Persons)
            {
                await persons.DestroyAsync(tenant, person, cancellation);
            }

            await accounts.LeaveAsync(subject, tenant, cancellation);
        }

        await documents.PutAsync(
            key, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(erasure with { IsDone = true }, RetentionJson.Default.StoredErasure), stored.ETag, cancellation);
    }

    private async ValueTask<RosterRefusal?> HoldAsync(string tenant, CancellationToken cancellation) =>
        (await ReadAsync(tenant, cancellation)).LegalHold ? new("legal_hold", "The tenant is under a legal hold.") : null;

    private static DocumentKey RetentionKey(string tenant) => new(tenant, RetentionKind, RetentionId);

    private static DocumentKey ErasureKey(string tenant, string subject) => new(tenant, ErasureKind, subject);
}
