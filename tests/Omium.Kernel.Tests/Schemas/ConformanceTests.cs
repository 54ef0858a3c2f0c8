using Omium.Runtime.Conformance;
using Xunit;

namespace Omium.Kernel.Tests.Schemas;

public sealed class ConformanceTests
{
    /// <summary>The public suite stands beside the repository; OMIUM_CONFORMANCE names another place.</summary>
    public static string? SuiteDirectory
    {
        get
        {
            var root = Environment.GetEnvironmentVariable("OMIUM_CONFORMANCE") ?? FromRepository();
            var suite = root is null ? null : Path.Combine(root, "json-schema-2020-12");
            return suite is not null && Directory.Exists(suite) ? suite : null;
        }
    }

    public static TheoryData<string> Files
    {
        get
        {
            var files = new TheoryData<string>();
            foreach (var path in SuiteDirectory is { } directory ? Directory.GetFiles(directory, "*.json").Order(StringComparer.Ordinal).ToArray() : ["(absent)"])
            {
                files.Add(Path.GetFileName(path));
            }

            return files;
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Run_OfficialSuite_AnswersEveryCase(string file)
    {
        if (SuiteDirectory is not { } directory)
        {
            Assert.Skip("The JSON Schema suite is not at ../shared/conformance; set OMIUM_CONFORMANCE.");
            return;
        }

        var misses = SchemaCases.Run(Path.Combine(directory, file)).Where(one => !one.Passed).Select(one => $"{one.Name}: {one.Detail}");
        Assert.Empty(misses);
    }

    private static string? FromRepository()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Omium.Functions.sln")))
            {
                return Path.Combine(directory.FullName, "..", "shared", "conformance");
            }
        }

        return null;
    }
}
