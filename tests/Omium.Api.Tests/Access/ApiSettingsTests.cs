using Microsoft.Extensions.Configuration;

namespace Omium.Api.Tests.Access;

/// <summary>What a deployment sets is what every host's options hold.</summary>
public sealed class ApiSettingsTests
{
    [Fact]
    public void Apply_OfNothing_LeavesWhatTheHostHasSet()
    {
        var options = Apply(new OmiumApiOptions { RatePerSecond = 7, ClientAddressHeader = "X-Client", SignUp = true });

        Assert.Equal((7.0, 200, "X-Client", true), (options.RatePerSecond, options.RateBurst, options.ClientAddressHeader, options.SignUp));
        Assert.Equal((null, null, 4 * 1024 * 1024), (options.ClientPrincipalTenant, options.PublicUrl, options.BodyBytesMax));
    }

    [Fact]
    public void Apply_OfEverySetting_ReachesTheOptions()
    {
        var options = Apply(
            new OmiumApiOptions(),
            ("OMIUM_API_RATE_PER_SECOND", "12"), ("api:rate_burst", "34"), ("OMIUM_API_APPROVAL_ATTEMPTS_MAX", "5"), ("OMIUM_API_STREAM_LISTENERS_MAX", "60"),
            ("OMIUM_API_BODY_BYTES_MAX", "2048"), ("OMIUM_API_INPUT_BYTES_MAX", "4096"), ("OMIUM_SIGN_UP", "False"), ("OMIUM_CLIENT_ADDRESS_HEADER", "X-Real-IP"),
            ("OMIUM_CLIENT_PRINCIPAL_TENANT", "tnt_1"), ("OMIUM_PUBLIC_URL", "https://omium.example"));

        Assert.Equal((12.0, 34, 5), (options.RatePerSecond, options.RateBurst, options.ApprovalAttemptsMax));
        Assert.Equal((60, 60), (options.StreamListenersMax, options.StreamListenersPerTenantMax)); // No tenant may have more than there are.
        Assert.Equal((2_048, 4_096), (options.BodyBytesMax, options.InputBytesMax));
        Assert.Equal((false, "X-Real-IP", "tnt_1", new Uri("https://omium.example")), (options.SignUp, options.ClientAddressHeader, options.ClientPrincipalTenant, options.PublicUrl));
    }

    [Theory]
    [InlineData("OMIUM_API_RATE_PER_SECOND", "fast")]
    [InlineData("OMIUM_API_BODY_BYTES_MAX", "12")]
    [InlineData("OMIUM_PUBLIC_URL", "omium.example")]
    [InlineData("OMIUM_SIGN_UP", "no")]
    public void Apply_OfWhatCannotBeRead_NamesIt(string name, string value) =>
        Assert.Contains(name, Assert.Throws<InvalidOperationException>(() => Apply(new OmiumApiOptions(), (name, value))).Message, StringComparison.Ordinal);

    private static OmiumApiOptions Apply(OmiumApiOptions options, params (string Name, string Value)[] settings)
    {
        OmiumApiSettings.Apply(options, new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build());
        return options;
    }
}
