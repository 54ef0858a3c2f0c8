using Omium.Kernel.Executions;
using Xunit;

namespace Omium.Kernel.Tests.Executions;

public sealed class VisitDictionaryTests
{
    /// <summary>Against a plain dictionary, with visits that open, settle, open again and are taken back.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Set_AnySequence_HoldsWhatADictionaryHolds(int seed)
    {
        var (random, plain, map) = (new Random(seed), new Dictionary<VisitKey, VisitState>(), VisitDictionary.Empty);
        for (var i = 0; i < 500; i++)
        {
            var key = new VisitKey($"s{random.Next(20)}", random.Next(1, 4));
            var visit = new VisitState(key, i) { Status = (VisitStatus)random.Next(6) };
            var before = map;
            map = map.Set(visit);
            Assert.Equal(plain.GetValueOrDefault(key), before.GetValueOrDefault(key));
            plain[key] = visit;

            Assert.Equal(plain.Count, map.Count);
            Assert.Equal(plain.OrderBy(pair => pair.Value.Ordinal), map.OrderBy(pair => pair.Value.Ordinal));
            Assert.Equal(plain.Keys.ToHashSet(), map.Keys.ToHashSet());
            Assert.All(plain, pair => Assert.Same(pair.Value, map[pair.Key]));
        }

        Assert.Equal(map.OrderBy(pair => pair.Value.Ordinal), VisitDictionary.Of(plain.Values).OrderBy(pair => pair.Value.Ordinal));
        Assert.False(map.ContainsKey(new("t", 1)));
        Assert.Throws<KeyNotFoundException>(() => map[new("t", 1)]);
    }

    [Theory]
    [InlineData(VisitStatus.Open, VisitStatus.Open)]
    [InlineData(VisitStatus.Open, VisitStatus.Committed)]
    [InlineData(VisitStatus.Committed, VisitStatus.RolledBack)]
    public void Of_TheSameKeyTwice_Throws(VisitStatus one, VisitStatus other) => Assert.Throws<ArgumentException>(() =>
        VisitDictionary.Of([new(new("s", 1), 1) { Status = one }, new(new("s", 1), 2) { Status = other }]));
}
