using Omium.Kernel.Executions;
using Omium.Kernel.Resources;
using Omium.Runtime.Ports;

namespace Omium.Simulation.Laws;

/// <summary>The books of all roots: what executions share, told from its stored records.</summary>
internal sealed class RootBook(Func<string, Chronicle?> execution)
{
    private readonly Dictionary<StreamId, RootChronicle> _byStream = [];
    private readonly Dictionary<string, RootChronicle> _byRoot = [];

    /// <summary>Laws that were broken.</summary>
    public List<string> Broken { get; } = [];

    public void Read(StreamId stream, ResourceBody body)
    {
        if (!_byStream.TryGetValue(stream, out var chronicle))
        {
            _byStream[stream] = _byRoot[body.Command.Root] = chronicle = new RootChronicle(body.Command.Root, this);
        }

        chronicle.Read(body);
    }

    /// <summary>The book of a root; null while nothing was shared under it.</summary>
    public RootChronicle? Of(string root) => _byRoot.GetValueOrDefault(root);

    /// <summary>The visit that an owner or a transaction names, and its execution.</summary>
    public (Chronicle? Execution, VisitFacts? Visit, int Attempt) VisitOf(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var parts = name[(slash + 1)..].Split('~');
        var chronicle = execution(name[..slash]);
        var key = new VisitKey(parts[0], int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture));
        return (chronicle, chronicle?.Visits.GetValueOrDefault(key), parts.Length > 2 ? int.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture) : 0);
    }

    /// <summary>First two segments of a scope or a key.</summary>
    public static string RootOf(string name)
    {
        var scope = name.Split('#')[0].Split('/');
        return $"{scope[0]}/{scope[1]}";
    }

    public IEnumerable<string> AtTheEnd(IEnumerable<Chronicle> executions) =>
        _byRoot.Values.SelectMany(root => root.AtTheEnd()).Concat(executions.SelectMany(NothingLost));

    /// <summary>What a committed visit wrote is a version, once; what was taken back was taken back under every key.</summary>
    private IEnumerable<string> NothingLost(Chronicle chronicle)
    {
        foreach (var visit in chronicle.Visits.Values.Where(visit => visit.Shared.CommittedAttempt > 0))
        {
            var transaction = $"{chronicle.Stream.Id}/{visit.Key}~{visit.Shared.CommittedAttempt}";
            foreach (var key in visit.Shared.Written)
            {
                var times = Of(RootOf(key))?.VersionsOf(key).Count(version => version.Transaction == transaction && version.RestoredFrom == 0) ?? 0;
                if (times != 1)
                {
                    yield return $"{transaction} wrote {key}, and that is visible {times} times";
                }
            }

            if (visit.Standing == Standing.TakenBack && !visit.Shared.Restored)
            {
                yield return $"{transaction} was taken back and what it wrote was not";
            }
        }
    }
}
