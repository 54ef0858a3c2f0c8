using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Audit;

/// <summary>
/// What of an execution the audit trail accounts for: what people decide, and rollbacks and stand-ins that a policy decides. The entry is derived from
/// the record in the log; that one is owed is an index row of the same append. So none is lost, whenever a process dies.
/// <code>
/// record + index row "owed" (one append) -> entry derived from the record -> row of the trail + index row "written" (one append)
/// </code>
/// </summary>
public static class ExecutionAudit
{
    /// <summary>Statuses of the index rows.</summary>
    public const string StatusOwed = "owed", StatusWritten = "written";

    /// <summary><see cref="IndexRow.By"/> of an index row about a record by which a person changed the course of a run that was under way.</summary>
    public const string ByPerson = "person";

    /// <summary>Who pauses what was under way when a backup that is restored was made.</summary>
    public const string ByRestore = "restore";

    private const string Policy = "omium", RolledBack = "execution.rolled_back";

    /// <summary>Commands of people, by the action that they are.</summary>
    private static readonly FrozenDictionary<string, string> Actions = new Dictionary<string, string>
    {
        ["decide_review"] = "review.decided",
        ["record_test"] = "fix.tested",
        ["propose_fix"] = "fix.proposed",
        ["pause"] = "execution.paused",
        ["resume"] = "execution.resumed",
        ["cancel"] = "execution.cancelled",
        ["rollback"] = RolledBack,
        ["retry"] = "execution.retried",
        ["fork"] = "execution.forked",
        ["migrate"] = "execution.migrated",
        ["resolve_residue"] = "residue.resolved",
        ["ignore_failure"] = "failure.ignored",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Actions that change the course of a run; testing and proposing a fix and ignoring a failure do not, and a fork is a run of its own.</summary>
    private static readonly FrozenSet<string> Interventions = FrozenSet.ToFrozenSet(
        ["review.decided", "execution.paused", "execution.resumed", "execution.cancelled", RolledBack, "execution.retried", "execution.migrated", "residue.resolved"],
        StringComparer.Ordinal);

    /// <summary>Members of a command that an entry repeats: ids and words, never what somebody wrote.</summary>
    private static readonly string[] Repeated = ["review", "decision", "to", "scope", "steps", "from", "effect", "outcome", "accept_residue", "at", "mode", "version", "again", "failure"];

    /// <summary>The index row that says an entry is owed for a record; null when none is.</summary>
    public static IndexRow? Owed(ExecutionState after, long seq, ExecutionCommand command, IReadOnlyList<ExecutionEvent> events)
    {
        ArgumentNullException.ThrowIfNull(after);
        ArgumentNullException.ThrowIfNull(command);
        return ActionOf(command, events) is not { } action ? null : new IndexRow(after.Tenant, IndexKinds.Audit, IdOf(after.ExecutionId, seq), after.ExecutionId)
        {
            Workflow = after.Workflow,
            WorkflowVersion = after.WorkflowVersion,
            Status = StatusOwed,
            Label = action,
            By = IsIntervention(after, command, action) ? ByPerson : "",
            CreatedUnixMs = command.AtMs,
            UpdatedUnixMs = command.AtMs,
        };
    }

    /// <summary>The record that an index row is about.</summary>
    public static long SeqOf(IndexRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return long.Parse(row.Id.AsSpan(row.Id.LastIndexOf('.') + 1), NumberStyles.None, CultureInfo.InvariantCulture);
    }

    /// <summary>The entry that a record owes.</summary>
    public static AuditEntry EntryOf(IndexRow row, LogRecord record, RecordBody body)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(body);
        var command = JsonSerializer.SerializeToElement(body.Command, KernelJson.Default.ExecutionCommand);
        var detail = new List<(string, JsonElement)>
        {
            ("workflow", JsonMake.Text(row.Workflow)), ("record", JsonSerializer.SerializeToElement(record.Seq, AuditJson.Default.Int64)), ("events", JsonMake.Text(record.EventTypes)),
        };
        detail.AddRange(Repeated.Where(name => command.TryGetProperty(name, out _)).Select(name => (name, command.GetProperty(name))));
        if (command.TryGetProperty("edits", out var edits) && edits.ValueKind == JsonValueKind.Object)
        {
            detail.Add(("edited", JsonMake.Array(edits.EnumerateObject().Select(member => JsonMake.Text(member.Name)))));
            detail.Add(("edits_sha256", JsonMake.Text(CanonicalJson.Digest(CanonicalJson.Canonicalize(edits)))));
        }

        var isPersons = Actions.ContainsKey(body.Command.Name);
        var actor = isPersons && (command.TryGetProperty("by", out var by) || command.TryGetProperty("forked_by", out by)) ? by.GetString()! : Policy;
        return new AuditEntry(row.Id, record.AtUnixMs, row.Label, actor, row.Execution)
        {
            Detail = JsonMake.Object([.. detail]),
            Personal = body.Command.Origin is { } origin && origin.Deserialize(AuditJson.Default.PersonalPart) is { } part ? [part] : null,
        };
    }

    /// <summary>The entry of a record whose execution was erased before it was derived: that something was done is kept, by whom is gone.</summary>
    public static AuditEntry ErasedEntryOf(IndexRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return new AuditEntry(row.Id, row.CreatedUnixMs, row.Label, "erased", row.Execution);
    }

    /// <summary>A child is rolled back and cancelled by its parent, and what is restored from a backup is paused by the engine: nobody has intervened there.</summary>
    private static bool IsIntervention(ExecutionState after, ExecutionCommand command, string action) =>
        Actions.ContainsKey(command.Name) && Interventions.Contains(action) && command switch
        {
            RollBackExecution e => e.By != after.Parent?.Execution,
            CancelExecution e => e.By != after.Parent?.Execution,
            PauseExecution e => e.By != ByRestore,
            _ => true,
        };

    private static string? ActionOf(ExecutionCommand command, IReadOnlyList<ExecutionEvent> events)
    {
        if (Actions.TryGetValue(command.Name, out var action))
        {
            return command is DecideReview && events.Any(happened => happened is ReviewRefused) ? "review.refused" : action;
        }

        foreach (var happened in events)
        {
            switch (happened)
            {
                case RollbackPlanned:
                    return RolledBack;
                case AgentSubstituted:
                    return "agent.substituted";
            }
        }

        return null;
    }

    private static string IdOf(string execution, long seq) => string.Create(CultureInfo.InvariantCulture, $"{execution}.{seq:D8}");
}
