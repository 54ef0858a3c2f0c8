namespace Omium.Kernel.Specs;

/// <summary>Limits of Workflow Spec v0. What exceeds one is refused on save.</summary>
public static class SpecLimits
{
    /// <summary>Children of children of children: how deep.</summary>
    public const int ChildDepthMax = 8;

    /// <summary>Most steps.</summary>
    public const int StepsMax = 10_000;

    /// <summary>Most edges, those of <c>needs</c> included.</summary>
    public const int EdgesMax = 40_000;

    /// <summary>Most agents.</summary>
    public const int AgentsMax = 1_000;

    /// <summary>Most tools.</summary>
    public const int ToolsMax = 1_000;

    /// <summary>Most verifiers of one step.</summary>
    public const int VerifiersMax = 25;

    /// <summary>Longest source text, in bytes of UTF-8: 4 MiB.</summary>
    public const int SourceBytesMax = 4 * 1024 * 1024;

    /// <summary>Deepest nesting of the source text.</summary>
    public const int SourceDepthMax = 64;

    /// <summary>Most findings that one answer lists; what is more is counted in a last finding <c>too_many_findings</c>.</summary>
    public const int FindingsMax = 1_000;

    /// <summary>Longest name of a workflow, in characters.</summary>
    public const int NameLengthMax = 63;

    /// <summary>Longest id of a step, an agent, a tool, a guard code or a checkpoint, in characters.</summary>
    public const int IdLengthMax = 63;

    /// <summary>Shortest time-out and wait.</summary>
    public static readonly TimeSpan TimeoutMin = TimeSpan.FromMilliseconds(1);

    /// <summary>Longest time-out and wait.</summary>
    public static readonly TimeSpan TimeoutMax = TimeSpan.FromHours(24);

    /// <summary>Longest time a person may be given to approve.</summary>
    public static readonly TimeSpan ApprovalTimeoutMax = TimeSpan.FromDays(30);

    /// <summary>Longest life of an idempotency key.</summary>
    public static readonly TimeSpan KeyTtlMax = TimeSpan.FromDays(30);

    /// <summary>Most attempts of a step, and most retries of a policy.</summary>
    public const int AttemptsMax = 100;

    /// <summary>Most items of a for_each step.</summary>
    public const int ItemsMax = 10_000;

    /// <summary>Most items of a step under way at a time: as many calls as one machine makes at a time.</summary>
    public const int ItemsParallelMax = 256;

    /// <summary>Largest item, in bytes of canonical JSON: 64 KiB.</summary>
    public const int ItemBytesMax = 64 * 1024;

    /// <summary>Items are stored in pieces of about this many bytes, so that a decision about one item never reads the whole list.</summary>
    public const int ItemChunkBytesMax = 16 * 1024;

    /// <summary>Most visits through one loop edge.</summary>
    public const int VisitsMax = 10_000;

    /// <summary>Highest bound on the visits of one execution.</summary>
    public const int BoundVisitsMax = 10_000_000;

    /// <summary>Highest bound on repetitions: of the same call in an attempt, and of the same visit round a loop.</summary>
    public const int BoundRepetitionsMax = 1_000;

    /// <summary>Most turns of an agent in one attempt.</summary>
    public const int TurnsMax = 200;

    /// <summary>Most tokens of one answer.</summary>
    public const int AnswerTokensMax = 1_000_000;

    /// <summary>Most locks, and most reads and writes of shared values, of one step.</summary>
    public const int SharedNamesMax = 64;

    /// <summary>Largest shared value, in bytes of JSON: 16 KiB. Shared state is for facts, not for documents.</summary>
    public const int SharedValueBytesMax = 16_384;

    /// <summary>Highest sampling temperature.</summary>
    public const double TemperatureMax = 2;
}
