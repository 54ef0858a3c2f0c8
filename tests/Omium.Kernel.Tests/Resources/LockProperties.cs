using Omium.Kernel.Resources;
using Xunit;

namespace Omium.Kernel.Tests.Resources;

/// <summary>
/// Laws of locks over drawn runs: visits that want scopes under several roots, taken root by root in order; crashes between every two records
/// (a visit begins again and knows nothing), visits that give up, releases that come twice. The checker holds no kernel logic: who holds what is
/// counted from the recorded events, and two holders are compared segment by segment.
/// </summary>
public sealed class LockProperties
{
    private const int Seeds = 1_500;

    [Fact]
    public void Locks_DrawnRuns_ExcludeEachOtherInOrderAndEverybodyIsServed()
    {
        var (granted, queued, crashes) = (0L, 0L, 0L);
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var run = new LockRun(seed);
            run.Play();
            (granted, queued, crashes) = (granted + run.Granted, queued + run.Queued, crashes + run.Crashes);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{Seeds} seeds: {granted} grants, {queued} waits, {crashes} crashes");
        Assert.True(queued > Seeds && crashes > Seeds, "the drawn runs must contend and crash, else they prove nothing");
    }

    private sealed class LockRun
    {
        private const int RoundsMax = 4_000;
        private readonly Random _random;
        private readonly int _seed;
        private readonly SortedDictionary<string, RootHarness> _roots = new(StringComparer.Ordinal);
        private readonly List<Visit> _visits = [];
        private readonly Dictionary<(string Root, string Owner), string[]> _held = [];
        private readonly Dictionary<string, List<(string Owner, string[] Scopes)>> _waiting = [];
        private readonly Dictionary<string, long> _tokens = [];

        public LockRun(int seed)
        {
            (_seed, _random) = (seed, new Random(seed));
            var rootCount = _random.Next(1, 4);
            for (var root = 0; root < rootCount; root++)
            {
                _roots[$"r/{root}"] = new RootHarness($"r/{root}");
            }

            for (var visit = _random.Next(2, 9); visit > 0; visit--)
            {
                _visits.Add(new Visit($"exe_{visit}/s~1", Draw()));
            }
        }

        public int Granted { get; private set; }

        public int Queued { get; private set; }

        public int Crashes { get; private set; }

        public void Play()
        {
            for (var round = 0; _visits.Exists(visit => !visit.Done); round++)
            {
                Assert.True(round < RoundsMax, $"seed {_seed}: not everybody was served");
                var open = _visits.FindAll(visit => !visit.Done);
                Step(open[_random.Next(open.Count)]);
            }

            Assert.All(_roots.Values, root => Assert.True(root.State.Idle, $"seed {_seed}: something is left"));
        }

        private void Step(Visit visit)
        {
            if (_random.Next(8) == 0)
            {
                (visit.Next, visit.Working) = (0, 0); // Crashed: it begins again, and what is recorded is all that is left of it.
                Crashes++;
            }

            var wanted = visit.Wanted.ElementAtOrDefault(visit.Next);
            if (visit.Leaving)
            {
                if (wanted.Root is null)
                {
                    visit.Done = true;
                    return;
                }

                Send(wanted.Root, root => root.Release(visit.Owner));
                visit.Next++;
            }
            else if (wanted.Root is not null)
            {
                Send(wanted.Root, root => root.Acquire(visit.Owner, wanted.Scopes));
                visit.Next += _held.ContainsKey((wanted.Root, visit.Owner)) ? 1 : 0;
                visit.Leaving = _random.Next(60) == 0; // Cancelled while it waited.
                visit.Next = visit.Leaving ? 0 : visit.Next;
            }
            else if (++visit.Working > 2)
            {
                (visit.Leaving, visit.Next) = (true, 0);
            }
        }

        private void Send(string name, Func<RootHarness, ResourceOutcome> command)
        {
            foreach (var happened in command(_roots[name]).Events)
            {
                Observe(name, happened);
            }
        }

        private void Observe(string root, ResourceEvent happened)
        {
            var waiting = _waiting.TryGetValue(root, out var known) ? known : _waiting[root] = [];
            switch (happened)
            {
                case LockQueued e:
                    Queued++;
                    waiting.Add((e.Owner, [.. e.Scopes]));
                    break;
                case LockGranted e:
                    Granted++;
                    Assert.True(e.Token > _tokens.GetValueOrDefault(root), $"seed {_seed}: token {e.Token} is not greater than the last");
                    _tokens[root] = e.Token;
                    foreach (var ((otherRoot, owner), scopes) in _held)
                    {
                        Assert.False(otherRoot == root && Meets(scopes, e.Scopes), $"seed {_seed}: {owner} and {e.Owner} hold {string.Join(' ', e.Scopes)} at once");
                    }

                    foreach (var (owner, scopes) in waiting.TakeWhile(other => other.Owner != e.Owner))
                    {
                        Assert.False(Meets(scopes, e.Scopes), $"seed {_seed}: {e.Owner} overtook {owner}, who came earlier for the same");
                    }

                    waiting.RemoveAll(other => other.Owner == e.Owner);
                    _held[(root, e.Owner)] = [.. e.Scopes];
                    break;
                case LockReleased e:
                    Assert.True(_held.Remove((root, e.Owner)), $"seed {_seed}: {e.Owner} released twice");
                    break;
                case LockWithdrawn e:
                    waiting.RemoveAll(other => other.Owner == e.Owner);
                    break;
            }
        }

        /// <summary>Segment by segment, by splitting: another way than the kernel's.</summary>
        private static bool Meets(IEnumerable<string> some, IEnumerable<string> others) => some.Any(one => others.Any(other =>
        {
            var (left, right) = (one.Split('/'), other.Split('/'));
            return Enumerable.Range(0, Math.Min(left.Length, right.Length)).All(index => left[index] == right[index]);
        }));

        private List<(string Root, string[] Scopes)> Draw()
        {
            var wanted = new List<(string, string[])>();
            foreach (var root in _roots.Keys)
            {
                if (wanted.Count == 0 || _random.Next(2) == 0)
                {
                    string[] below = ["", "/a", "/a/x", "/b", "/b/y", "/c"];
                    wanted.Add((root, [.. Enumerable.Range(0, _random.Next(1, 3)).Select(_ => root + below[_random.Next(below.Length)]).Distinct()]));
                }
            }

            return wanted;
        }

        private sealed class Visit(string owner, List<(string Root, string[] Scopes)> wanted)
        {
            public string Owner { get; } = owner;

            public List<(string Root, string[] Scopes)> Wanted { get; } = wanted;

            public int Next { get; set; }

            public int Working { get; set; }

            public bool Leaving { get; set; }

            public bool Done { get; set; }
        }
    }
}
