using System.Net;
using Omium.Kernel.Specs;
using Omium.Runtime.Effects.Tools;
using static Omium.Runtime.Tests.Tools.HttpToolFixture;

namespace Omium.Runtime.Tests.Tools;

public sealed class AddressPolicyTests
{
    [Theory]
    [InlineData("127.0.0.1", "Private")]
    [InlineData("127.255.255.255", "Private")]
    [InlineData("10.1.2.3", "Private")]
    [InlineData("172.16.0.1", "Private")]
    [InlineData("172.31.255.255", "Private")]
    [InlineData("172.32.0.0", "Public")]
    [InlineData("192.168.1.1", "Private")]
    [InlineData("100.64.0.1", "Private")]
    [InlineData("100.127.255.255", "Private")]
    [InlineData("100.128.0.0", "Public")]
    [InlineData("100.100.100.200", "Special")]
    [InlineData("169.254.169.254", "Special")]
    [InlineData("168.63.129.16", "Special")]
    [InlineData("168.63.129.17", "Public")]
    [InlineData("0.0.0.0", "Special")]
    [InlineData("0.1.2.3", "Special")]
    [InlineData("192.0.0.192", "Special")]
    [InlineData("198.18.0.1", "Special")]
    [InlineData("198.20.0.1", "Public")]
    [InlineData("224.0.0.1", "Special")]
    [InlineData("255.255.255.255", "Special")]
    [InlineData("8.8.8.8", "Public")]
    [InlineData("::1", "Private")]
    [InlineData("::", "Special")]
    [InlineData("::ffff:127.0.0.1", "Private")]
    [InlineData("::ffff:169.254.169.254", "Special")]
    [InlineData("::ffff:8.8.8.8", "Public")]
    [InlineData("::127.0.0.1", "Private")]
    [InlineData("64:ff9b::a00:1", "Private")]
    [InlineData("64:ff9b::808:808", "Public")]
    [InlineData("64:ff9b:1::1", "Special")]
    [InlineData("2002:7f00:1::", "Private")]
    [InlineData("2001::1", "Special")]
    [InlineData("2001:db8::1", "Special")]
    [InlineData("fd00::1", "Private")]
    [InlineData("fc00::1", "Private")]
    [InlineData("fd00:ec2::254", "Special")]
    [InlineData("fe80::1", "Special")]
    [InlineData("fec0::1", "Special")]
    [InlineData("ff02::1", "Special")]
    [InlineData("100::1", "Special")]
    [InlineData("2606:4700:4700::1111", "Public")]
    public void ScopeOf_Address_IsKnown(string address, string expected) =>
        Assert.Equal(expected, AddressPolicy.ScopeOf(IPAddress.Parse(address)).ToString());

    [Theory]
    [InlineData("10.0.0.1", true, "", true)]
    [InlineData("10.0.0.1", false, "", false)]
    [InlineData("169.254.169.254", true, "", false)]
    [InlineData("10.0.0.1", false, "crm.corp.test", true)]
    [InlineData("10.0.0.1", false, "CRM.corp.test", true)]
    [InlineData("10.0.0.1", false, "*.corp.test", true)]
    [InlineData("10.0.0.1", false, "*.rm.corp.test", false)]
    [InlineData("10.0.0.1", false, "corp.test", false)]
    [InlineData("10.0.0.1", false, "crm.corp.test:8080", true)]
    [InlineData("10.0.0.1", false, "crm.corp.test:8081", false)]
    public void Allows_HostAndOptions_Decide(string address, bool allowPrivate, string hosts, bool expected)
    {
        var policy = new AddressPolicy(new() { AllowPrivateAddresses = allowPrivate, AllowedHosts = hosts.Split(',', StringSplitOptions.RemoveEmptyEntries) });

        Assert.Equal(expected, policy.Allows("crm.corp.test", 8080, IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("2130706433")]
    [InlineData("0x7f.1")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("localhost")]
    public async Task CallAsync_LoopbackInAnySpelling_IsRefused(string host)
    {
        await using var server = await TestServer.StartAsync(200, "{}");

        var outcome = await CallAsync(Request($"http://{host}:{server.Port}/"), new ToolNetworkOptions());

        AssertFailure(outcome, FailureClasses.ToolError, "address_refused", false, true);
        Assert.Equal(0, server.Requests);
    }

    [Fact]
    public async Task CallAsync_NameRebindsToLoopback_IsRefusedAtTheConnectedAddress()
    {
        await using var server = await TestServer.StartAsync(200, "{}");
        var lookups = 0;
        using var client = new HttpToolClient(new(), new FixedSecrets([]), resolve: (_, _) =>
        {
            // The first answer is public and cannot be reached; whoever checked it and then looked the name up again would connect to the second.
            lookups++;
            return lookups == 1
                ? throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.TryAgain)
                : Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
        });

        var first = await client.CallAsync(Request($"http://rebind.test:{server.Port}/"), CancellationToken.None);
        var second = await client.CallAsync(Request($"http://rebind.test:{server.Port}/"), CancellationToken.None);

        Assert.Equal("host_not_found", first.Failure!.Code);
        AssertFailure(second, FailureClasses.ToolError, "address_refused", false, true);
        Assert.Equal((2, 0), (lookups, server.Requests));
    }

    [Fact]
    public async Task CallAsync_OneOfSeveralAddressesIsAllowed_ConnectsToThatOneAfterOneLookup()
    {
        await using var server = await TestServer.StartAsync(200, "{}");
        var lookups = 0;

        var outcome = await CallAsync(Request($"http://mixed.test:{server.Port}/"), new() { AllowPrivateAddresses = true }, resolve: (_, _) =>
        {
            lookups++;
            return Task.FromResult<IPAddress[]>([IPAddress.Parse("169.254.169.254"), IPAddress.Loopback]);
        });

        Assert.Null(outcome.Failure);
        Assert.Equal((1, 1), (lookups, server.Requests));
    }
}
