using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Resources;
using Xunit;

namespace Omium.Kernel.Tests.Resources;

/// <summary>One root, driven as a host does: every command is decided, recorded as bytes, and the state folded from those bytes again.</summary>
internal sealed class RootHarness(string root = "stock/7")
{
    private readonly List<byte[]> _log = [];

    public ResourceState State { get; private set; } = ResourceState.Empty;

    public long NowMs { get; set; } = 1_700_000_000_000;

    public IEnumerable<ResourceEvent> Events => _log.SelectMany(bytes => ResourceJson.Deserialize(bytes).Events);

    public ResourceOutcome Send(ResourceCommand command)
    {
        var outcome = ResourceKernel.Decide(State, command);
        if (outcome.Events.Count > 0)
        {
            var bytes = ResourceJson.Serialize(new ResourceBody(command, outcome.Events));
            Assert.Equal(bytes, ResourceJson.Serialize(ResourceJson.Deserialize(bytes)));
            _log.Add(bytes);
            State = ResourceKernel.Fold(State, ResourceJson.Deserialize(bytes));
            Assert.Equal(JsonSerializer.Serialize(outcome.State), JsonSerializer.Serialize(State));
        }

        return outcome;
    }

    public ResourceOutcome Acquire(string owner, params string[] scopes) => Send(new AcquireLocks(NowMs, root, owner, scopes, null, Wait: true, 600_000));

    public ResourceOutcome Try(string owner, string[] ancestors, params string[] scopes) => Send(new AcquireLocks(NowMs, root, owner, scopes, ancestors, Wait: false, 600_000));

    public ResourceOutcome Release(string owner, long tokenMax = 0) => Send(new SettleOwner(NowMs, root, owner, null, Release: true, tokenMax));

    public ResourceOutcome Prepare(string owner, int attempt, string field, string json, long? readVersion = null) =>
        Send(new PrepareWrites(NowMs, root, owner, $"{owner}~{attempt}", [new ValueWrite($"{root}#{field}", Json(json), readVersion)], null));

    public ResourceOutcome Commit(string owner, int attempt) => Send(new SettleOwner(NowMs, root, owner, $"{owner}~{attempt}", Release: false));

    public ResourceOutcome Restore(string owner, int attempt, string field) => Send(new RestoreValues(NowMs, root, $"{owner}~{attempt}", [$"{root}#{field}"]));

    public void Write(string owner, string field, string json)
    {
        Assert.Null(Prepare(owner, 1, field, json).Rejection);
        Assert.Null(Commit(owner, 1).Rejection);
    }

    public ValueVersion Value(string field) => State.Values[$"{root}#{field}"].Current;

    public string[] Holding => [.. State.Holders.Select(holder => holder.Owner)];

    public string[] Waiting => [.. State.Queue.Select(waiter => waiter.Owner)];

    public static JsonElement Json(string text) => CanonicalJson.ParseTrusted(System.Text.Encoding.UTF8.GetBytes(text));
}
